package origin

import _ "example.net/guest/v2"
