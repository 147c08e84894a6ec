

pReluq

qRelup