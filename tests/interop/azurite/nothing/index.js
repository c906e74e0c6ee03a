// Stands for what Azurite needs for telemetry and for SQL databases, 300 MB that no test uses.
"use strict";
