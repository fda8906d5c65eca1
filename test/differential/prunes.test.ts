import {prunes} from './cases/lists.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('prunes', prunes);
