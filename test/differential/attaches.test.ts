import {attaches} from './cases/attaches.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('attaches', attaches);
