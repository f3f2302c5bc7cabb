// The page begins here.
import { render } from 'preact';
import { App } from './app';
import { listen } from './keys';
import { giveNonce } from './nonce';
import { followLinks } from './router';
import { start } from './store';
import './settings';

giveNonce();
followLinks();
listen();
start();
const root = document.getElementById('app');
if (root) render(<App />, root);
