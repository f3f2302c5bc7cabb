// Texts about the logs of an instance.
import { dictionary } from './language';

export const words = dictionary(
  {
    file: 'Log',
    none: 'The server keeps no log of it',
    empty: 'The log is empty',
    again: 'Read again',
    download: 'Download',
    part: (shown: string, all: string) => `the last ${shown} of ${all}`,
  },
  {
    file: 'Registro',
    none: 'El servidor no guarda registros suyos',
    empty: 'El registro está vacío',
    again: 'Leer de nuevo',
    download: 'Descargar',
    part: (shown: string, all: string) => `los últimos ${shown} de ${all}`,
  },
);
