import {execFileSync} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {ContainerOptions, LaunchMachine} from './launch-machine.ts';

/**
 * Tries, as fast as it can, to get at processes that still run the helper's code, or have descriptors or a root that lead to
 * the machine's directory `argv[2]`. The two words at the ELF header's e_entry tell the helper's memory.
 */
const source = `
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static char path[4400];
static int try(const char *pid, const char *name, int flags) {
  snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
  return open(path, flags);
}
static void try_descriptors(const char *pid, const char *place) {
  char link[4200], name[300];
  snprintf(path, sizeof path, "/proc/%s/fd", pid);
  DIR *directory = opendir(path);
  if (directory == NULL) return;
  for (struct dirent *e; (e = readdir(directory)) != NULL;) {
    snprintf(name, sizeof name, "/proc/%s/fd/%.200s", pid, e->d_name);
    ssize_t size = readlink(name, link, sizeof link - 1);
    if (size <= 0) continue;
    link[size] = 0;
    if (strstr(link, place) != NULL || strstr(link, "tscompose") != NULL) printf("LEAK descriptor of %s: %s\\n", pid, link);
  }
  closedir(directory);
}
int main(int argc, char **argv) {
  uint64_t entry = strtoull(argv[1], NULL, 10), seen;
  unsigned long looked = 0;
  if (argc != 3) return 1;
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (;; looked++) {
    DIR *proc = opendir("/proc");
    for (struct dirent *e; (e = readdir(proc)) != NULL;) {
      char link[300] = "", fd[64], root[4300];
      if (e->d_name[0] < '1' || e->d_name[0] > '9') continue;
      int mem = try(e->d_name, "mem", O_RDWR);
      if (mem >= 0 && pread(mem, &seen, 8, 0x400018) == 8 && seen == entry) printf("LEAK mem of %s\\n", e->d_name);
      int exe = try(e->d_name, "exe", O_RDONLY);
      snprintf(fd, sizeof fd, "/proc/self/fd/%d", exe);
      if (exe >= 0 && readlink(fd, link, sizeof link - 1) > 0 && strstr(link, "memfd:tscompose")) printf("LEAK exe of %s\\n", e->d_name);
      snprintf(root, sizeof root, "root%s", argv[2]);
      int place = try(e->d_name, root, O_PATH);
      if (place >= 0) printf("LEAK root of %s\\n", e->d_name);
      try_descriptors(e->d_name, argv[2]);
      if (mem >= 0) close(mem);
      if (exe >= 0) close(exe);
      if (place >= 0) close(place);
    }
    closedir(proc);
    if (looked == 100) printf("looking\\n");
  }
}
`;

/** A container that writes `looking` once it has looked around for a while, and a line with LEAK for what it got hold of. */
export async function makeSpy(machine: LaunchMachine): Promise<Pick<ContainerOptions, 'words' | 'lowers'>> {
  const directory = join(machine.directory, 'image-spy');
  mkdirSync(directory, {recursive: true});
  writeFileSync(join(machine.directory, 'spy.c'), source);
  execFileSync('cc', ['-static', '-no-pie', '-O1', '-o', join(directory, 'spy'), join(machine.directory, 'spy.c')]);
  const entry = readFileSync(await machine.helper.path()).readBigUInt64LE(24);
  return {words: ['/spy', String(entry), machine.directory], lowers: [directory, machine.rootfs]};
}
