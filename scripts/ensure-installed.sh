# Sourced with $root set. Makes sure node_modules matches package-lock.json and sets $node to the Node that runs the project.

installed_is_stale() {
  [ ! -f "$root/node_modules/.package-lock.json" ] || [ "$root/package-lock.json" -nt "$root/node_modules/.package-lock.json" ]
}

if installed_is_stale; then
  if ! command -v npm >/dev/null 2>&1; then
    echo "error: npm is not in PATH: install Node.js 20 or newer (it brings npm), then try again" >&2
    exit 1
  fi
  # One at a time: two in the same directory break each other. A link appears whole, with the holder's number, or not at all.
  mkdir -p "$root/node_modules"
  install_lock="$root/node_modules/.gatehouse-install"
  until ln -sn "$$" "$install_lock" 2>/dev/null; do
    if [ ! -w "$root/node_modules" ]; then
      echo "error: $root/node_modules cannot be written: run this as the user who owns it, or install there as that user" >&2
      exit 1
    fi
    # Released meanwhile; or links cannot be made here at all.
    if [ ! -L "$install_lock" ]; then
      attempts=$((${attempts:-0} + 1))
      [ "$attempts" -lt 100 ] && continue
      echo "error: no link can be made in $root/node_modules: a file system with symbolic links and ln in PATH are needed" >&2
      exit 1
    fi
    holder="$(readlink "$install_lock" || true)"
    # `ps` sees other users' processes too. Of several that find the holder gone, the one that makes this link takes the lock
    # away, and only while it still names that holder: another's new lock must not go with it.
    if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null && ! ps -p "$holder" >/dev/null 2>&1 &&
      ln -sn "$$" "$install_lock-of-$holder" 2>/dev/null; then
      if [ "$(readlink "$install_lock" || true)" = "$holder" ]; then rm -f "$install_lock"; fi
      rm -f "$install_lock-of-$holder"
    else
      sleep 0.2
    fi
  done
  trap 'rm -f "$install_lock"' EXIT
  if installed_is_stale; then
    # Not `npm ci`: it refuses a lock file in which another platform's optional package is missing, and registries do not
    # always have all of them. The lock file is followed all the same, and left as it is.
    echo "Installing dependencies (npm install)..." >&2
    (cd "$root" && npm install --no-save --no-audit --no-fund --loglevel=error >&2) || {
      echo "error: npm install failed in $root (see above): check the network and the npm registry, then try again" >&2
      exit 1
    }
    touch "$root/node_modules/.package-lock.json"
  fi
  rm -f "$install_lock"
  trap - EXIT
fi

# The packaged Node, or on platforms that have none the machine's own if it can run TypeScript.
node="$root/node_modules/.bin/node"
if [ ! -x "$node" ]; then
  node="$(command -v node || true)"
  if [ -z "$node" ] || ! "$node" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 18) ? 0 : 1)'; then
    echo "error: no packaged Node for this platform and the machine's is older than 22.18: install Node.js 24" >&2
    exit 1
  fi
fi
