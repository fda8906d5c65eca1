import {execs} from './cases/execs.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('execs', execs);
