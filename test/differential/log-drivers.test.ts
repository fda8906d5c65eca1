import {logDrivers} from './cases/log-drivers.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('log-drivers', logDrivers);
