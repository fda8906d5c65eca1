import {connections} from './cases/connections.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('connections', connections);
