import {confinementCases} from './cases/host-config.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('confinement', confinementCases);
