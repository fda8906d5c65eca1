import {commits} from './cases/commits.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('commits', commits);
