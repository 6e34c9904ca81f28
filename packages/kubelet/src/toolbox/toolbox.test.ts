// The toolbox's programs, and above all what they cannot reach: everything outside the container.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, beforeEach, describe, test } from "node:test";
import { podEnvironment } from "@gatehouse/apimachinery/pod-environment";
import { writeAtomically } from "../volumes/atomic-directory.ts";
import { ContainerFiles } from "./container-files.ts";
import { runProgram } from "./run-program.ts";
import { encodeHeader, tarBlock, type TarEntry } from "./tar-format.ts";

const base = mkdtempSync(join(tmpdir(), "gatehouse-toolbox-"));
after(() => rmSync(base, { recursive: true, force: true }));

let root: string;
let volume: string;
beforeEach(() => {
  const pod = mkdtempSync(join(base, "pod-"));
  root = join(pod, "container");
  volume = join(pod, "volume");
  mkdirSync(root);
  writeFileSync(join(pod, "secret"), "outside");
  writeFileSync(join(root, "0.log"), "the kubelet's");
  writeFileSync(join(root, "lines"), "1\n2\n3\n4\n5\n");
  writeAtomically(volume, new Map([["key", { data: Buffer.from("value"), mode: 0o644 }]]));
});

interface Ran {
  code: number;
  out: string;
  err: string;
}

async function run(command: string[], input: Buffer | string = ""): Promise<Ran> {
  const hostEnvironment = {
    [podEnvironment.mounts]: JSON.stringify({ "/etc/config/deep": volume, "/data": join(root, "..", "data") }),
    [podEnvironment.writableMounts]: JSON.stringify(["/data"]),
    [podEnvironment.podIP]: "127.99.1.1",
    [podEnvironment.listen]: "{}",
    HOSTNAME: "web",
  };
  mkdirSync(join(root, "..", "data"), { recursive: true });
  const files = new ContainerFiles(hostEnvironment, root);
  const out: Buffer[] = [];
  let err = "";
  const code = await runProgram(command, {
    files,
    environment: { COLOR: "blue", HOSTNAME: "web" },
    hostEnvironment,
    container: { pid: 17, title: "whoami demo/web", tty: false },
    stdin: Readable.from([Buffer.from(input)]),
    out: (data) => Promise.resolve(void out.push(Buffer.from(data))),
    run: runProgram,
    err: (line) => Promise.resolve(void (err += `${line}\n`)),
  });
  return { code, out: Buffer.concat(out).toString("latin1"), err };
}

describe("programs", () => {
  const cases: [string[], string, string?][] = [
    [["echo", "a", "b"], "a b\n"],
    [["echo", "-n", "a"], "a"],
    [["/usr/bin/echo", "a"], "a\n"],
    [["printenv", "COLOR"], "blue\n"],
    [["env"], "COLOR=blue\nHOSTNAME=web\n"],
    [["pwd"], "/\n"],
    [["hostname"], "web\n"],
    [["cat", "lines", "-"], "1\n2\n3\n4\n5\nin", "in"],
    [["cat"], "in", "in"],
    [["cat", "/etc/config/deep/key"], "value"],
    [["head", "-n", "2", "/lines"], "1\n2\n"],
    [["head", "-3", "lines"], "1\n2\n3\n"],
    [["head", "-c", "3", "lines"], "1\n2"],
    [["tail", "-n", "2", "lines"], "4\n5\n"],
    [["tail", "-n", "+4", "lines"], "4\n5\n"],
    [["tail", "-c", "3", "lines"], "\n5\n"],
    [["tail", "-c+9"], "9", "123456789"],
    [["tail", "-n1"], "no newline", "a\nno newline"],
    [["ls"], "data\netc\nlines\n"],
    [["ls", "/etc", "/etc/config"], "/etc:\nconfig\n\n/etc/config:\ndeep\n"],
    [["sh", "-c", "echo one; false || echo two && cat lines | head -n 1"], "one\ntwo\n1\n"],
    [
      ["sh", "-c", "echo '$COLOR' \"$COLOR is ${HOSTNAME}\" $COLOR-$NONE- a\\ b # comment"],
      "$COLOR blue is web blue-- a b\n",
    ],
    [["sh", "-c", "X=1; cd /etc/config; pwd; ls; echo $X $?; exit 0; echo never"], "/etc/config\ndeep\n1 0\n"],
    [["sh", "-c", "tar cf - lines | tail -c+1 | tar tf -"], "lines\n"],
    [["sh"], "a\n/etc\n", "echo a\n\ncd etc\npwd\nexit\necho never\n"],
    [["ls", "/etc/config/deep"], "key\n"],
    [["ls", "-d", "/etc"], "/etc\n"],
    [["ps"], `    PID COMMAND\n     17 whoami demo/web\n${String(process.pid).padStart(7)} ps\n`],
  ];
  for (const [command, expected, input] of cases)
    test(command.join(" "), async () =>
      assert.deepEqual(await run(command, input), { code: 0, out: expected, err: "" }),
    );

  test("a pipe waits for its reader, and ends its writer when nobody reads", async () => {
    writeFileSync(join(root, "large"), "line\n".repeat(200_000));
    assert.deepEqual(await run(["sh", "-c", "cat large large large | head -n 1"]), { code: 0, out: "line\n", err: "" });
    const all = await run(["sh", "-c", "cat large | cat | tail -n 1"]);
    assert.deepEqual(all, { code: 0, out: "line\n", err: "" });
  });

  test("test answers by its exit code", async () => {
    const codes: [string[], number][] = [
      [["-d", "/etc/config"], 0],
      [["-d", "lines"], 1],
      [["-f", "lines"], 0],
      [["-e", "nothing"], 1],
      [["!", "-e", "nothing"], 0],
      [["-z", ""], 0],
      [["a", "=", "a"], 0],
      [["2", "-gt", "10"], 1],
      [[], 1],
      [["a", "-o", "b"], 2],
    ];
    for (const [args, code] of codes) assert.equal((await run(["test", ...args])).code, code, args.join(" "));
  });

  test("mistakes are one line and an exit code", async () => {
    const cases: [string[], number, RegExp][] = [
      [["bash"], 127, /^bash: not in this container: .*\n$/],
      [["constructor"], 127, /^constructor: not in this container/],
      [["sh", "-c", "exit 3"], 3, /^$/],
      [["sh", "-c", "echo x > file"], 2, /^sh: > is not done here: there are programs, quotes, /],
      [["sh", "-c", "echo $(ls)"], 2, /^sh: \$ is not done here/],
      [["sh", "-c", "echo `ls`"], 2, /^sh: ` is not done here/],
      [["sh", "-c", 'echo "`ls`"'], 2, /^sh: ` is not done here/],
      [["sh", "-c", "ls *"], 2, /^sh: \* is not done here/],
      [["sh", "-c", "sleep 1 &"], 2, /^sh: & is not done here/],
      [["sh", "-c", "echo 'open"], 2, /^sh: a ' is not closed\n$/],
      [["sh", "-c", "echo a | | cat"], 2, /^sh: syntax error near/],
      [["sh", "-c", "&& echo a"], 2, /^sh: syntax error near "&&"/],
      [["sh", "-c", "cd lines"], 1, /^sh: cd: lines: Not a directory\n$/],
      [["sh", "-c", "bash"], 127, /^bash: not in this container/],
      [["sh", "script"], 2, /^sh: files are not run as scripts/],
      [["cat", "nothing"], 1, /^cat: nothing: No such file or directory\n$/],
      [["cat", "/etc"], 1, /^cat: \/etc: Is a directory\n$/],
      [["ls", "lines/x"], 1, /^ls: lines\/x: Not a directory\n$/],
      [["head", "-n", "many"], 2, /^head: invalid number 'many'\n$/],
      [["ls", "-Z"], 2, /^ls: unrecognized option: Z\n$/],
      [["date", "+%Q"], 2, /^date: %Q is not known/],
      [["tar", "xzf", "-"], 2, /^tar: unrecognized option: z/],
      [["tar", "cf", "file.tar", "x"], 2, /^tar: only `f -` is done/],
      [["wget", "-qO-", "http://169.254.169.254/"], 2, /^wget: bad address '169.254.169.254'/],
      [["wget", "-qO-", "http://127.98.1.1/"], 2, /^wget: bad address/],
      [["curl", "-s", "http://web-service/"], 2, /^curl: bad address 'web-service': there is no cluster DNS here/],
      [["curl", "https://localhost/"], 2, /^curl: https: is not done/],
      [
        ["wget", "-qO-", "http://localhost:9/"],
        1,
        /^wget: can't connect to remote host \(localhost:9\): Connection refused\n$/,
      ],
    ];
    for (const [command, code, pattern] of cases) {
      const ran = await run(command);
      assert.equal(ran.code, code, command.join(" "));
      assert.match(ran.err, pattern);
    }
  });
});

describe("nothing outside the container", () => {
  test("can be read, by no path and by no link", async () => {
    const outside = join(root, "../secret");
    symlinkSync(outside, join(root, "absolute"));
    symlinkSync("../secret", join(root, "relative"));
    symlinkSync("../../..", join(root, "up"));
    symlinkSync("loop", join(root, "loop"));
    const paths = [outside, "../secret", "/etc/config/deep/../../../../secret", "absolute", "relative", "up/secret"];
    for (const path of [...paths, "/etc/passwd", "0.log", "/data/../0.log"]) {
      const ran = await run(["cat", path]);
      assert.deepEqual([ran.code, ran.out], [1, ""], path);
      assert.match(ran.err, /No such file or directory/, path);
    }
    assert.match((await run(["cat", "loop"])).err, /Too many levels of symbolic links/);
    assert.equal((await run(["ls", "up"])).out, "absolute\ndata\netc\nlines\nloop\nrelative\nup\n");
  });

  const entry = (path: string, content: string, extra: Partial<TarEntry> = {}): Buffer => {
    const header = encodeHeader({
      path,
      type: "file",
      size: Buffer.byteLength(content),
      mode: 0o644,
      modified: 1,
      ...extra,
    });
    return Buffer.concat([
      header,
      Buffer.from(content),
      Buffer.alloc((tarBlock - (content.length % tarBlock)) % tarBlock),
    ]);
  };
  const end = Buffer.alloc(2 * tarBlock);

  test("can be written, by no member of an archive", async () => {
    symlinkSync("..", join(root, "up"));
    const link = entry("link", "");
    // A symbolic link to /etc/passwd, with its checksum.
    link.write("2", 156);
    link.write("/etc/passwd", 157);
    link.write("        ", 148);
    const sum = link.subarray(0, tarBlock).reduce((total, byte) => total + byte, 0);
    link.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    const archive = Buffer.concat([
      entry("../secret", "gone"),
      entry("a/../../secret", "gone"),
      entry("/absolute", "made relative"),
      entry("up/secret", "inside"),
      entry("etc/config/deep/key", "gone"),
      entry("0.log", "gone"),
      link,
      entry("good", "good"),
      end,
    ]);
    const ran = await run(["tar", "-xmf", "-", "-C", "/"], archive);
    assert.equal(ran.code, 1);
    assert.deepEqual(ran.err.split("\n").filter(Boolean), [
      "tar: ../secret: member name contains '..'",
      "tar: a/../../secret: member name contains '..'",
      "tar: etc/config/deep/key: Read-only file system",
      "tar: 0.log: Read-only file system",
      "tar: link: links and special files are not made here",
    ]);
    assert.equal(readFileSync(join(root, "../secret"), "utf8"), "outside");
    assert.equal(readFileSync(join(root, "0.log"), "utf8"), "the kubelet's");
    assert.equal(readFileSync(join(volume, "key"), "utf8"), "value");
    assert.equal(readFileSync(join(root, "absolute"), "utf8"), "made relative");
    assert.equal(readFileSync(join(root, "secret"), "utf8"), "inside");
    assert.equal(readFileSync(join(root, "good"), "utf8"), "good");
    assert.equal(readdirSync(root).includes("link"), false);
  });

  test("damaged archives end with one line", async () => {
    const whole = Buffer.concat([entry("file", "x".repeat(1_000)), end]);
    const flipped = Buffer.from(whole);
    flipped[0] = 0x7a;
    const cases: [string, Buffer, RegExp][] = [
      ["cut in a header", whole.subarray(0, 100), /unexpected end of archive/],
      ["cut in a file", whole.subarray(0, 900), /unexpected end of archive/],
      ["checksum", flipped, /invalid tar header checksum/],
      ["noise", Buffer.alloc(2_000, "a"), /invalid/],
    ];
    for (const [name, archive, pattern] of cases) {
      const ran = await run(["tar", "xf", "-", "-C", "/data"], archive);
      assert.equal(ran.code, 2, name);
      assert.match(ran.err, pattern, name);
      assert.equal(ran.err.split("\n").length, 2, name);
    }
  });
});

test("tar: what goes in comes out, long and odd names, volumes of links, sizes at the blocks' borders", async () => {
  const names = ["plain", "ü".repeat(60), `${"d".repeat(90)}/${"e".repeat(90)}`, " spaces  in it "];
  for (const [at, name] of names.entries()) {
    mkdirSync(join(root, "tree", name, ".."), { recursive: true });
    writeFileSync(join(root, "tree", name), "z".repeat(511 + at));
  }
  const packed = await run(["tar", "cf", "-", "tree", "/etc/config"]);
  assert.deepEqual([packed.code, packed.err], [0, ""]);
  const unpacked = await run(["tar", "xvf", "-", "-C", "/data"], Buffer.from(packed.out, "latin1"));
  assert.equal(unpacked.code, 0, unpacked.err);
  const data = join(root, "../data");
  for (const [at, name] of names.entries())
    assert.equal(readFileSync(join(data, "tree", name), "utf8").length, 511 + at);
  assert.equal(readFileSync(join(data, "etc/config/deep/key"), "utf8"), "value");
});
