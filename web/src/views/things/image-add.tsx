// Images that come: a file of the user's, or what the cloud fetches from an image server.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { ask, asProblem, path, url } from '../../api/client';
import type { JobView, Problem } from '../../api/types';
import { type Sent, upload } from '../../api/upload';
import { body } from '../../app/actions';
import { command } from '../../app/commands';
import { begin } from '../../app/jobs';
import { Button } from '../../components/button';
import { CopyButton } from '../../components/copy';
import { Dialog, show } from '../../components/dialog';
import { Menu } from '../../components/menu';
import { inCloud, PlaceFields, placesFor, type Where } from '../../components/place';
import { Failure } from '../../components/states';
import { words as common } from '../../i18n/common';
import { words as create } from '../../i18n/create';
import { bytes } from '../../i18n/format';
import { words } from '../../i18n/things';
import { Check, Choice, Text } from '../create/fields';
import { SERVERS } from '../create/servers';

export function AddImage() {
  const t = words.value;
  if (placesFor('edit').length === 0) return null;
  return (
    <Menu
      label={t.add}
      icon="plus"
      choices={[
        { label: t.fromServer, icon: 'globe', run: () => show((close) => <ImportDialog close={close} />) },
        { label: t.fromFile, icon: 'upload', run: () => show((close) => <UploadDialog close={close} />) },
      ]}
    >
      {t.add}
    </Menu>
  );
}

/** The place to begin with. */
function anywhere(): Where {
  return inCloud(placesFor('edit')[0]?.cloud ?? '', 'default', 'edit');
}

function imagesPath({ cloud, project }: Where, name: string): string {
  return path('clouds', cloud, 'projects', project, name);
}

function ImportDialog({ close }: { close: () => void }) {
  const t = words.value;
  const where = useSignal(anywhere());
  const address = useSignal<string>(SERVERS[0]);
  const protocol = useSignal('simplestreams');
  const image = useSignal('');
  const alias = useSignal('');
  const update = useSignal(false);
  const isPublic = useSignal(false);
  const tried = useSignal(false);
  const e = create.value.errors;
  const errors = {
    url: /^https:\/\/[^\s/]/.test(address.value.trim()) ? undefined : e.url,
    image: image.value.trim() ? undefined : e.alias,
  };
  const shown: Partial<typeof errors> = tried.value ? errors : {};
  const problem = useSignal<Problem | null>(null);
  const send = async () => {
    tried.value = true;
    if (errors.url || errors.image) return;
    problem.value = null;
    const wanted = {
      server: { url: address.value.trim(), protocol: protocol.value, image: image.value.trim() },
      aliases: alias.value.trim() ? [alias.value.trim()] : [],
      auto_update: update.value,
      public: isPublic.value,
    };
    try {
      const job = await body(ask<JobView>('POST', imagesPath(where.value, 'image-imports'), { body: wanted }));
      close();
      void begin(t.imported(image.value.trim()), Promise.resolve(job));
    } catch (error) {
      problem.value = asProblem(error);
    }
  };
  return (
    <Dialog
      title={t.fromServer}
      close={close}
      submit={() => void send()}
      actions={
        <>
          <Button onClick={close}>{common.value.cancel}</Button>
          <Button type="submit" kind="primary" icon="globe">
            {t.import}
          </Button>
        </>
      }
    >
      <PlaceFields
        where={where.value}
        verb="edit"
        cloudLabel={t.toCloud}
        projectLabel={t.toProject}
        change={put(where)}
      />
      <Text
        label={create.value.url}
        name="url"
        mode="url"
        value={address.value}
        error={shown.url}
        choices={[...SERVERS]}
        change={put(address)}
      />
      <Choice
        label={create.value.protocol}
        name="protocol"
        value={protocol.value}
        choices={['simplestreams', 'lxd', 'incus'].map((name) => [name, name])}
        change={put(protocol)}
      />
      <Text
        label={create.value.alias}
        name="image"
        value={image.value}
        error={shown.image}
        hint={create.value.aliasHint}
        placeholder="debian/12"
        change={put(image)}
      />
      <Text label={t.newAlias} name="alias" value={alias.value} hint={t.newAliasHint} change={put(alias)} />
      <Check label={t.keepNew} value={update.value} change={put(update)} />
      <Check label={t.makePublic} value={isPublic.value} change={put(isPublic)} />
      <p class="quiet small">{create.value.ownNetwork(where.value.cloud)}</p>
      {problem.value && <Failure problem={problem.value} />}
    </Dialog>
  );
}

/** Has the signal take what a field gives. */
function put<T>(into: { value: T }): (value: T) => void {
  return (value) => {
    into.value = value;
  };
}

function UploadDialog({ close }: { close: () => void }) {
  const t = words.value;
  const where = useSignal(anywhere());
  const file = useSignal<File | null>(null);
  const alias = useSignal('');
  const isPublic = useSignal(false);
  const sent = useSignal<Sent | null>(null);
  const problem = useSignal<Problem | null>(null);
  const stop = useRef<AbortController | null>(null);
  // Who closes the dialog wants no more of it.
  useEffect(() => () => stop.current?.abort(), []);
  const { cloud, project } = where.value;
  const send = async () => {
    const chosen = file.value;
    if (!chosen || sent.value) return;
    problem.value = null;
    sent.value = { bytes: 0, total: chosen.size };
    const ending = new AbortController();
    stop.current = ending;
    const query = { alias: alias.value.trim(), public: isPublic.value || undefined, filename: chosen.name };
    const address = url(imagesPath(where.value, 'image-files'), query);
    try {
      const job = await upload(address, chosen, ending.signal, put(sent));
      stop.current = null;
      close();
      void begin(t.uploaded(chosen.name), Promise.resolve(job));
    } catch (error) {
      if (!ending.signal.aborted) problem.value = asProblem(error);
    } finally {
      sent.value = null;
    }
  };
  const name = file.value?.name ?? 'IMAGE.tar.gz';
  const more = [
    ...(alias.value.trim() ? ['--alias', alias.value.trim()] : []),
    ...(isPublic.value ? ['--public'] : []),
  ];
  return (
    <Dialog
      title={t.fromFile}
      close={close}
      submit={() => void send()}
      actions={
        <>
          <CopyButton text={command(project, 'image', 'import', name, `${cloud}:`, ...more)}>
            {common.value.copyCommand}
          </CopyButton>
          <span class="grow" />
          <Button onClick={() => (sent.value ? stop.current?.abort() : close())}>{common.value.cancel}</Button>
          <Button type="submit" kind="primary" icon="upload" disabled={!file.value || sent.value !== null}>
            {t.send}
          </Button>
        </>
      }
    >
      <PlaceFields
        where={where.value}
        verb="edit"
        cloudLabel={t.toCloud}
        projectLabel={t.toProject}
        change={put(where)}
      />
      <label class="field">
        <span class="label">{t.file}</span>
        <input
          class="input"
          type="file"
          disabled={sent.value !== null}
          onChange={(event) => {
            file.value = event.currentTarget.files?.[0] ?? null;
          }}
        />
        <span class="quiet small">{t.fileHint}</span>
      </label>
      <Text label={t.newAlias} name="alias" value={alias.value} hint={t.newAliasHint} change={put(alias)} />
      <Check label={t.makePublic} value={isPublic.value} change={put(isPublic)} />
      {sent.value && (
        <div class="stack" role="status">
          <progress class="progress" max={sent.value.total} value={sent.value.bytes} aria-label={name} />
          <span class="quiet small">
            {sent.value.bytes < sent.value.total
              ? t.bytesOf(bytes(sent.value.bytes), bytes(sent.value.total))
              : t.unpacking}
          </span>
        </div>
      )}
      {problem.value && <Failure problem={problem.value} />}
    </Dialog>
  );
}
