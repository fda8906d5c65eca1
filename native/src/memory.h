/* Keeping idle processes small. */
#ifndef MEMORY_H
#define MEMORY_H

/*
 * Lets go of the program's pages that this process has mapped: code that ran once, at the start, is not needed again.
 * What is used later is mapped again from the program's file, without reading a disk.
 */
void memory_trim(void);

#endif
