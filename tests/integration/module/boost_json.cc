// Boost.JSON's definitions, for <extproc/json.h>.
#include <boost/json/src.hpp>
