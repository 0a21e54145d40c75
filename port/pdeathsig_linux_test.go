package port_test

// pdeathsig says whether the kernel kills the children of a parent that dies.
const pdeathsig = true
