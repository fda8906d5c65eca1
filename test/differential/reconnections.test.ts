import {reconnections} from './cases/reconnections.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('reconnections', reconnections);
