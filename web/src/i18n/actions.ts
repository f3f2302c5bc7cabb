// Texts about what is done to instances.
import { dictionary } from './language';

export const words = dictionary(
  {
    verbs: {
      start: 'Start',
      stop: 'Stop',
      restart: 'Restart',
      freeze: 'Freeze',
      unfreeze: 'Unfreeze',
      delete: 'Delete',
    },
    sure: (action: string, count: number) =>
      count === 1 ? `${action} this instance?` : `${action} ${count} instances?`,
    one: (action: string, name: string) => `${action}: ${name}`,
    many: (action: string, count: number) => `${action}: ${count} instances`,
  },
  {
    verbs: {
      start: 'Arrancar',
      stop: 'Parar',
      restart: 'Reiniciar',
      freeze: 'Congelar',
      unfreeze: 'Descongelar',
      delete: 'Borrar',
    },
    sure: (action: string, count: number) =>
      count === 1 ? `¿${action} esta instancia?` : `¿${action} ${count} instancias?`,
    one: (action: string, name: string) => `${action}: ${name}`,
    many: (action: string, count: number) => `${action}: ${count} instancias`,
  },
);
