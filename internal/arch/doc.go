// Package arch holds the tree to its rules: what each package may import, the
// house style, documents that say what is there, one table of partitions. Its
// tests read the tree from the root of the module.
package arch
