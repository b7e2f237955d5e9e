// Boost.JSON's definitions: its library package isn't needed then.
#include <boost/json/src.hpp>
