// Makes the types of the API from its document.
import { writeFile } from 'node:fs/promises';
import openapi, { astToString } from 'openapi-typescript';

const document = new URL('../kolaboree.openapi.json', import.meta.url);
const types = astToString(await openapi(document, { alphabetize: true }));
await writeFile(new URL('src/api/schema.d.ts', import.meta.url), `// Made by "npm run types".\n${types}`);
