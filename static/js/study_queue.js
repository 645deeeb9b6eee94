// What was answered and is not stored yet: kept in this browser, sent at once, and again until it is taken.

const PAUSES = [500, 1000, 2000, 4000, 8000, 15000]; // ms between tries while the connection is away
const PATIENCE = 15000; // ms until a try is given up

// The page's own token is worth nothing once somebody signed in or out in another window; the cookie has the new one.
function tokenNow() {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1];
}

export class Queue {
  constructor({ id, address, token, next, onAway, onStored, onRefused }) {
    Object.assign(this, { address, token, next, onAway, onStored, onRefused });
    this.key = `answers ${id}`;
    this.answers = this.#read();
    this.events = [];
    this.browser = null;
    this.tries = 0;
    window.addEventListener("online", () => this.#soon(0));
  }

  // The number of the trial that comes next, with all that waits here.
  get reached() {
    return this.answers.length ? this.answers.at(-1).number + 1 : this.next;
  }

  add(answer) {
    this.answers.push(answer);
    this.#write();
    return this.flush();
  }

  note(event) {
    this.events.push(event);
    if (this.events.length > 200) this.events.shift();
  }

  // Send all that waits; whoever calls while something is under way waits for what comes after it.
  async flush() {
    if (this.sending) {
      this.again = true;
      return this.sending;
    }
    this.sending = this.#send();
    try {
      await this.sending;
    } finally {
      this.sending = null;
    }
    if (this.again && !this.away) {
      this.again = false;
      return this.flush();
    }
  }

  async #send() {
    const answers = this.answers.slice(0, 100);
    const events = this.events.slice(0, 50);
    const body = JSON.stringify({ answers, events, browser: this.browser });
    let response;
    let reply;
    try {
      response = await fetch(this.address, {
        method: "POST",
        body,
        headers: { "Content-Type": "application/json", "X-CSRFToken": tokenNow() ?? this.token },
        signal: AbortSignal.timeout(PATIENCE),
      });
      if (response.status >= 500 || response.status === 429) throw new Error(`status ${response.status}`);
      reply = await response.json();
    } catch {
      this.#wait();
      return;
    }
    this.away = false;
    this.tries = 0;
    this.onAway(false);
    this.events.splice(0, events.length);
    if (Number.isInteger(reply.next)) {
      this.next = reply.next;
      this.answers = this.answers.filter((answer) => answer.number >= reply.next);
      this.#write();
    }
    if (response.ok) this.onStored(reply);
    else this.#refuse(reply);
    if (response.ok && this.answers.length) this.again = true;
  }

  // What the server refuses would be refused again: it goes, and the session continues at what comes next. Only where
  // the page's token was refused the answers stay, for the page that is loaded then.
  #refuse(reply) {
    if (reply.reason !== "token") this.answers = [];
    this.#write();
    this.onRefused(reply);
  }

  #wait() {
    this.away = true;
    this.onAway(true);
    this.#soon(PAUSES[Math.min(this.tries++, PAUSES.length - 1)]);
  }

  #soon(pause) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), pause);
  }

  // Only a row of answers that goes on where the server stands is of use; anything else was not written by this page.
  #read() {
    let kept;
    try {
      kept = JSON.parse(localStorage.getItem(this.key));
    } catch {
      return [];
    }
    if (!Array.isArray(kept)) return [];
    const fresh = kept.filter((answer) => Number.isInteger(answer?.number) && answer.number >= this.next);
    return fresh.every((answer, place) => answer.number === this.next + place) ? fresh : [];
  }

  #write() {
    try {
      if (this.answers.length) localStorage.setItem(this.key, JSON.stringify(this.answers));
      else localStorage.removeItem(this.key);
    } catch {
      // without storage the answers wait in memory alone
    }
  }
}
