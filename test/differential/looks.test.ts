import {looksInside} from './cases/execs.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('looks', looksInside);
