module netimpair

go 1.26
