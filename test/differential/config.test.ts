import {config} from './cases/config.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('config', config);
