// The colours of the terminal, for both themes. Each of the sixteen can be read on the ground; the emulator sees to the others.
import type { ITheme } from '@xterm/xterm';
import { theme } from '../../app/settings';

const LIGHT: ITheme = {
  background: '#ffffff',
  foreground: '#14191d',
  cursor: '#0b6b63',
  cursorAccent: '#ffffff',
  selectionBackground: '#b9dfd9',
  black: '#14191d',
  red: '#b3261e',
  green: '#1a7f37',
  yellow: '#8a5a00',
  blue: '#1f5fbf',
  magenta: '#8b3a9e',
  cyan: '#0b6b63',
  white: '#55616b',
  brightBlack: '#55616b',
  brightRed: '#c9372c',
  brightGreen: '#21702f',
  brightYellow: '#7a5200',
  brightBlue: '#2a6fd6',
  brightMagenta: '#9c48b0',
  brightCyan: '#0f7a71',
  brightWhite: '#2b3238',
};

const DARK: ITheme = {
  background: '#0c0f12',
  foreground: '#e8edf0',
  cursor: '#5fd4c6',
  cursorAccent: '#0c0f12',
  selectionBackground: '#2f5b56',
  black: '#4a555e',
  red: '#ff8a80',
  green: '#56c271',
  yellow: '#e0ad4a',
  blue: '#7db4ff',
  magenta: '#d79be6',
  cyan: '#5fd4c6',
  white: '#c9d2d8',
  brightBlack: '#8b98a2',
  brightRed: '#ffada6',
  brightGreen: '#86dc9b',
  brightYellow: '#f0cb83',
  brightBlue: '#a8cdff',
  brightMagenta: '#e8bff2',
  brightCyan: '#94e6db',
  brightWhite: '#ffffff',
};

const system = matchMedia('(prefers-color-scheme: dark)');

/** The colours of the theme that is shown now. */
export function colours(): ITheme {
  const isDark = theme.value === 'system' ? system.matches : theme.value === 'dark';
  return isDark ? DARK : LIGHT;
}

/** Calls when the system changes its theme. Gives what ends that. */
export function onSystem(change: () => void): () => void {
  system.addEventListener('change', change);
  return () => system.removeEventListener('change', change);
}
