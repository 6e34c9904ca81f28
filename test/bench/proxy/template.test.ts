import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { render } from "./template.ts";

describe("configuration templates", () => {
  it("are filled in, whatever else their language writes with an @", () => {
    const text = render("envoy-tls.yaml", { certificate: "/c.pem", key: "/k.pem" });
    assert.match(text, /certificate_chain: \{ filename: \/c\.pem \}/);
    assert.match(text, /"@type": type\.googleapis\.com/);
  });

  it("are not written with a hole", () => {
    assert.throws(() => render("envoy-tls.yaml", { certificate: "/c.pem" }), /nothing to put for @key@/);
  });
});
