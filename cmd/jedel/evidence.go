package main

type evidenceCmd struct{}
