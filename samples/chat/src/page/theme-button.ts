import { byId } from './dom.js';

/** Light and dark follow the system until somebody chooses; `theme.js` sets what was chosen before the page is drawn. */
export function enableThemeButton(): void {
  byId('theme').addEventListener('click', () => {
    const chosen = isDark() ? 'light' : 'dark';
    document.documentElement.dataset.theme = chosen;
    localStorage.setItem('theme', chosen);
  });
}

function isDark(): boolean {
  const { theme } = document.documentElement.dataset;
  return theme === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark';
}
