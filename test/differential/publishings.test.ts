import {publishings} from './cases/publishings.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('publishings', publishings);
