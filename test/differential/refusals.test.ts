import {refusals} from './cases/refusals.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('refusals', refusals);
