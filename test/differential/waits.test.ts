import {waits} from './cases/logs.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('waits', waits);
