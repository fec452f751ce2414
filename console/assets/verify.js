// Verifies in the visitor's browser that a record stands in the signed log: RFC 9162, section 2.1.3.2, and a
// signed note with an Ed25519 key (https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint).
"use strict";
(() => {
  const utf8 = new TextEncoder();
  const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);
  const hash = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer()));

  // rootOf computes the root of a log of size records from one record and its path.
  async function rootOf(leaf, index, size, path) {
    let at = await hash(Uint8Array.of(0), leaf);
    let fn = BigInt(index), sn = BigInt(size) - 1n;
    for (const sibling of path) {
      if (sn === 0n) throw new Error("the path is too long");
      if (fn & 1n || fn === sn) {
        at = await hash(Uint8Array.of(1), sibling, at);
        while (!(fn & 1n) && fn !== 0n) { fn >>= 1n; sn >>= 1n; }
      } else {
        at = await hash(Uint8Array.of(1), at, sibling);
      }
      fn >>= 1n; sn >>= 1n;
    }
    if (sn !== 0n) throw new Error("the path is too short");
    return at;
  }

  // signedBy checks the signature of a note, and returns its text.
  async function signedBy(note, key) {
    const [name, id, rest] = [key.slice(0, key.indexOf("+")), ...key.slice(key.indexOf("+") + 1).split(/\+(.*)/s)];
    const material = bytes(rest);
    if (material[0] !== 1) throw new Error("the key is no Ed25519 key");
    const digest = await hash(utf8.encode(name + "\n"), material);
    const hex = [...digest.slice(0, 4)].map((b) => b.toString(16).padStart(2, "0")).join("");
    if (hex !== id) throw new Error("the key is damaged");
    const end = note.lastIndexOf("\n\n");
    const text = note.slice(0, end + 1);
    const line = note.slice(end + 2).split("\n").find((l) => l.startsWith(`— ${name} `));
    if (end < 0 || !line) throw new Error("the checkpoint is not signed with this key");
    const signature = bytes(line.slice(`— ${name} `.length));
    if (!same(signature.slice(0, 4), digest.slice(0, 4))) throw new Error("the checkpoint is signed with another key");
    const verifier = await crypto.subtle.importKey("raw", material.slice(1), "Ed25519", false, ["verify"]);
    if (!(await crypto.subtle.verify("Ed25519", verifier, signature.slice(4), utf8.encode(text)))) throw new Error("the signature of the checkpoint is wrong");
    return { name, lines: text.split("\n") };
  }

  async function verify(proof) {
    const text = (id) => proof.querySelector("#" + id).textContent;
    const { index, size } = proof.dataset;
    const { name, lines } = await signedBy(text("checkpoint"), text("key").trim());
    if (lines[0] !== name) throw new Error("the checkpoint is of another log");
    if (lines[1] !== size || BigInt(index) >= BigInt(size)) throw new Error("the checkpoint is of another size");
    const path = proof.dataset.path.split(" ").filter(Boolean).map(bytes);
    const root = await rootOf(utf8.encode(text("leaf")), index, size, path);
    if (!same(root, bytes(lines[2]))) throw new Error("the record is not in the log: the root is another one");
    return `Verified here: record ${index} is one of the ${size} records of the checkpoint of ${lines[3].replace("time ", "")}.`;
  }

  document.addEventListener("click", async (e) => {
    const proof = e.target.closest("[data-verify]")?.closest("#proof");
    if (!proof) return;
    const verdict = proof.querySelector("#verdict");
    try {
      verdict.textContent = await verify(proof);
      verdict.className = "verdict-word proved";
    } catch (err) {
      verdict.textContent = `Not verified: ${err.message}`;
      verdict.className = "verdict-word refuted";
    }
  });
})();
