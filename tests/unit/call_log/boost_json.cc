// Boost.JSON, compiled for this program.
#include <boost/json/src.hpp>
