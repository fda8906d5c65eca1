import {logsCases} from './cases/logs.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('logs', logsCases);
