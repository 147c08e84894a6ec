
C
xPlaceholder*
dtype0*$
shape:ÿÿÿÿÿÿÿÿÿ
=
kernelConst*
dtype0*
valueB 
,
bConst*
dtype0*
value
B 
0
gammaConst*
dtype0*
value
B 
/
betaConst*
dtype0*
value
B 
/
meanConst*
dtype0*
value
B 
3
varianceConst*
dtype0*
value
B 
1
wConst*
dtype