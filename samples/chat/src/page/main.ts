import { ask } from './api.js';
import { ChatPage } from './chat-page.js';
import type { ClientKind } from './connection.js';
import { byId } from './dom.js';
import { network } from './network.js';
import { enableThemeButton } from './theme-button.js';

network.install();
enableThemeButton();

const form = byId<HTMLFormElement>('sign-in');
const problem = byId('sign-in-problem');
const chat = new ChatPage((why = '') => {
  show(false);
  problem.textContent = why;
});

function show(signedIn: boolean): void {
  form.hidden = signedIn;
  byId('welcome').hidden = signedIn;
  byId('chat').hidden = !signedIn;
  if (!signedIn) byId('name').focus();
}

function enter(name: string): void {
  show(true);
  chat.open(name, (sessionStorage.getItem('client') ?? 'classic') as ClientKind);
}

async function signIn(): Promise<void> {
  const given = new FormData(form);
  problem.textContent = '';
  try {
    const { name } = await ask<{ name: string }>('POST', 'session', { name: given.get('name') });
    sessionStorage.setItem('client', given.get('client') === 'modern' ? 'modern' : 'classic');
    enter(name);
  } catch (error) {
    problem.textContent = (error as Error).message;
    byId('name').focus();
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void signIn();
});

try {
  const { name } = await ask<{ name: string | null }>('GET', 'session');
  if (name === null) show(false);
  else enter(name);
} catch (error) {
  show(false);
  problem.textContent = (error as Error).message;
}
