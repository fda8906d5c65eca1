import {lists} from './cases/lists.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('lists', lists);
