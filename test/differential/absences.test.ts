import {absences} from './cases/refusals.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('absences', absences);
