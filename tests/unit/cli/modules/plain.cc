// A shared object that is not a module.
extern "C" int answer();
int answer() { return 42; }
