#!/bin/sh
@HEADER@
