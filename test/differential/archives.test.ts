import {archives} from './cases/archives.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('archives', archives);
