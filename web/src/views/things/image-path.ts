import { path } from '../../api/client';
import type { Image } from '../../api/things';
import type { Placed } from './load';

/** The path of an image, or of something of it. */
export function imagePath({ cloud, project, thing }: Placed<Image>, ...rest: string[]): string {
  return path('clouds', cloud, 'projects', project, 'images', thing.fingerprint, ...rest);
}
