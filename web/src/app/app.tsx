// The frame: navigation, what concerns the whole page, and the view of the address.
import { useSignal } from '@preact/signals';
import { Component, type ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { asProblem } from '../api/client';
import { Dialogs } from '../components/dialog';
import { Empty, Failure, Loading } from '../components/states';
import { Toasts } from '../components/toasts';
import { words } from '../i18n/shell';
import { Navigation } from './navigation';
import { Refused } from './refused';
import { place } from './router';
import { refused, trouble } from './store';
import { known, loadView, viewOf } from './views';

export function App() {
  const t = words.value;
  const at = place.value.parts.join('/');
  const first = useRef(true);
  useEffect(() => {
    // Who comes by a link hears of the new view; the first one is read anyway.
    if (!first.current) document.getElementById('main')?.focus();
    first.current = false;
  }, [at]);
  return (
    <>
      <a class="skip button" href="#main">
        {t.skip}
      </a>
      <div class="shell">
        <Navigation />
        <main id="main" tabindex={-1}>
          <Guard key={at}>{refused.value ? <Refused problem={refused.value} /> : <View />}</Guard>
        </main>
      </div>
      <Dialogs />
      <Toasts />
    </>
  );
}

function View() {
  const { parts } = place.value;
  const view = viewOf(parts);
  const arrived = useSignal('');
  const failed = useSignal<unknown>(null);
  const name = typeof view === 'string' ? view : '';
  useEffect(() => {
    if (!name || known(name)) return;
    failed.value = null;
    loadView(name).then(
      () => {
        arrived.value = name;
      },
      (error) => {
        failed.value = error;
      },
    );
  }, [name]);
  if (!view) return <Empty icon="circle-help" title={words.value.notFound} />;
  if (typeof view !== 'string') {
    const Here = view;
    return <Here parts={parts} />;
  }
  void arrived.value;
  const Loaded = known(view);
  if (Loaded) return <Loaded parts={parts} />;
  if (failed.value) return <Failure problem={asProblem(failed.value)} retry={() => location.reload()} />;
  return trouble.value ? <Failure problem={trouble.value} /> : <Loading />;
}

/** A view that fails leaves the others in place. */
class Guard extends Component<{ children: ComponentChildren }, { error: unknown }> {
  static override getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override componentDidCatch(error: unknown) {
    console.error(error);
  }

  override render() {
    const error = this.state.error;
    if (!error) return this.props.children;
    return (
      <>
        <h1>{words.value.broken}</h1>
        <Failure problem={asProblem(error)} retry={() => location.reload()} />
      </>
    );
  }
}
