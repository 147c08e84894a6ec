Øœ
K
	serving_xPlaceholder*
dtype0*$
shape:ÿÿÿÿÿÿÿÿÿ
b
conv/kernelVarHandleOp*
dtype0*
shape: *
shared_nameconv/kernel
]
dense/kernelVarHandleOp*
dtype0*
shape:	€
*
shared_namedense/kernel
p
StatefulPartitionedCallStatefulPartitionedCall	serving_xconv/kerneldense/kernel*
fR
__inference_f

saveSaveV2conv/kernel{
y
%
__inference_f
a
k
w
out9
againPartitionedCallakw*
fR
__inference_f"
outagain:output:0*7
serving_default$"
out
StatefulPartitionedCall:0