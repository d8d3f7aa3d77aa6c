// A request as it came in, and the command that sends it again.

/** The path with its parameters, as sent. */
export function requestLine({ method, target }) {
  return `${method} ${target || "/"}`;
}

/**
 * A curl command that sends a request again; null when its data wasn't kept whole.
 *
 * All that is quoted is percent-encoded first, quotes too: whatever was sent, nothing in the command can end
 * the quotes, expand, or move the cursor of the terminal it is pasted into.
 */
export function curl({ method, target, data, data_size: size }, origin) {
  if (data.length < size || !target.startsWith("/")) return null;
  const url = `${origin}${harmless(target)}`;
  const sent = `--data 'data=${encoded(data)}'`;
  return method === "GET" ? `curl --get '${url}' ${sent}` : `curl '${url}' ${sent}`;
}

function encoded(text) {
  return encodeURIComponent(text.toWellFormed?.() ?? text).replace(/[!'()*]/g, percent);
}

/** A target's own percent-encoding stays; what isn't plain is encoded. */
function harmless(target) {
  const text = target.toWellFormed?.() ?? target;
  return text.replace(/[^A-Za-z0-9\-._~/?&=%+:,;@]+/g, encoded);
}

function percent(character) {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
