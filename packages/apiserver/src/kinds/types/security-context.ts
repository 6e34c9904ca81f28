// Identity and privileges of processes (core/v1): validated and kept; a process without a container cannot be confined by them.

import { bool, field, int64, listOf, oneOf, str, strings, struct } from "../schema-helpers.ts";

const appArmorProfile = struct("core.v1.AppArmorProfile", "An AppArmor profile.", {
  localhostProfile: str(),
  "type!": str(),
});

const seLinuxOptions = struct("core.v1.SELinuxOptions", "SELinux labels.", {
  level: str(),
  role: str(),
  type: str(),
  user: str(),
});

const seccompProfile = struct("core.v1.SeccompProfile", "A seccomp profile.", {
  localhostProfile: str(),
  "type!": oneOf(["Localhost", "RuntimeDefault", "Unconfined"]),
});

const windowsSecurityContextOptions = struct("core.v1.WindowsSecurityContextOptions", "Options for Windows.", {
  gmsaCredentialSpec: str(),
  gmsaCredentialSpecName: str(),
  hostProcess: bool(),
  runAsUserName: str(),
});

const capabilities = struct("core.v1.Capabilities", "Linux capabilities to add and drop.", {
  add: strings(),
  drop: strings(),
});

const sysctl = struct("core.v1.Sysctl", "A kernel parameter.", {
  "name!": str(),
  "value!": str(undefined, { default: "" }),
});

export const securityContext = struct("core.v1.SecurityContext", "Privileges of one container.", {
  allowPrivilegeEscalation: bool(),
  appArmorProfile: appArmorProfile,
  capabilities: field(capabilities, "Linux capabilities to add and drop."),
  privileged: bool(),
  procMount: str(),
  readOnlyRootFilesystem: bool("True: the root file system is read-only."),
  runAsGroup: int64(),
  runAsNonRoot: bool("True: refuse to run as root."),
  runAsUser: int64("User id of the process."),
  seLinuxOptions: seLinuxOptions,
  seccompProfile: seccompProfile,
  windowsOptions: windowsSecurityContextOptions,
});

export const podSecurityContext = struct("core.v1.PodSecurityContext", "Privileges of all containers of the pod.", {
  appArmorProfile: appArmorProfile,
  fsGroup: int64("Group that owns the volumes."),
  fsGroupChangePolicy: str(),
  runAsGroup: int64(),
  runAsNonRoot: bool(),
  runAsUser: int64("User id of the processes."),
  seLinuxChangePolicy: str(),
  seLinuxOptions: seLinuxOptions,
  seccompProfile: seccompProfile,
  supplementalGroups: listOf(int64()),
  supplementalGroupsPolicy: str(),
  sysctls: listOf(sysctl),
  windowsOptions: windowsSecurityContextOptions,
});
