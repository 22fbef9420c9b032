// Tabs of Chromium that the driver has no part in. It has every page that it knows of behave as if it
// were looked at, and such a page never freezes, whatever it is told.

/** A browser within the browser, with cookies of its own; `open` answers its tabs. */
export const rawContext = async (browser) => {
  const session = await browser.newBrowserCDPSession();
  const { browserContextId } = await session.send('Target.createBrowserContext');
  const waiting = new Map();
  let last = 0;
  session.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { id, result, error } = JSON.parse(message);
    const call = waiting.get(id);
    if (!call) return;
    waiting.delete(id);
    if (error) call.failed(new Error(error.message));
    else call.done(result);
  });

  const open = async (url) => {
    const { targetId } = await session.send('Target.createTarget', { url, browserContextId });
    const { sessionId } = await session.send('Target.attachToTarget', { targetId, flatten: false });
    const send = (method, params) =>
      new Promise((done, failed) => {
        const id = ++last;
        waiting.set(id, { done, failed });
        session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method, params }) }).catch(failed);
      });
    const evaluate = async (expression) => {
      const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    };
    return {
      evaluate,
      state: (state) => send('Page.setWebLifecycleState', { state }),
      /** Waits until an expression is true; one that cannot be evaluated, as while a page loads, is not. */
      until: async (expression) => {
        for (let tries = 0; tries < 600; tries++) {
          const held = await evaluate(expression).catch(() => false);
          if (held) return;
          await new Promise((wake) => setTimeout(wake, 50));
        }
        throw new Error(`it did not come true: ${expression}`);
      },
    };
  };
  return { open, close: () => session.send('Target.disposeBrowserContext', { browserContextId }) };
};
