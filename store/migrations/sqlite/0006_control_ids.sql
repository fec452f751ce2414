-- Control IDs are SERVICE-TYPE-WHAT. What people ordered under the IDs of before holds on. Sealed bodies are renamed
-- when they are read (read.go).
UPDATE findings SET body = REPLACE(body, '"control":"ec2-sg-admin-ports-open"', '"control":"ec2-securitygroup-admin-ports-open"') WHERE body LIKE '%"control":"ec2-sg-admin-ports-open"%';
UPDATE stops SET control = 'ec2-securitygroup-admin-ports-open', body = REPLACE(body, '"control":"ec2-sg-admin-ports-open"', '"control":"ec2-securitygroup-admin-ports-open"') WHERE control = 'ec2-sg-admin-ports-open';
UPDATE spends SET control = 'ec2-securitygroup-admin-ports-open' WHERE control = 'ec2-sg-admin-ports-open';
UPDATE findings SET body = REPLACE(body, '"control":"ec2-sg-other-ports-open"', '"control":"ec2-securitygroup-other-ports-open"') WHERE body LIKE '%"control":"ec2-sg-other-ports-open"%';
UPDATE stops SET control = 'ec2-securitygroup-other-ports-open', body = REPLACE(body, '"control":"ec2-sg-other-ports-open"', '"control":"ec2-securitygroup-other-ports-open"') WHERE control = 'ec2-sg-other-ports-open';
UPDATE spends SET control = 'ec2-securitygroup-other-ports-open' WHERE control = 'ec2-sg-other-ports-open';
UPDATE findings SET body = REPLACE(body, '"control":"ec2-sg-web-ports-open"', '"control":"ec2-securitygroup-web-ports-open"') WHERE body LIKE '%"control":"ec2-sg-web-ports-open"%';
UPDATE stops SET control = 'ec2-securitygroup-web-ports-open', body = REPLACE(body, '"control":"ec2-sg-web-ports-open"', '"control":"ec2-securitygroup-web-ports-open"') WHERE control = 'ec2-sg-web-ports-open';
UPDATE spends SET control = 'ec2-securitygroup-web-ports-open' WHERE control = 'ec2-sg-web-ports-open';
UPDATE findings SET body = REPLACE(body, '"control":"ec2-sg-default-group-rules"', '"control":"ec2-securitygroup-default-group-rules"') WHERE body LIKE '%"control":"ec2-sg-default-group-rules"%';
UPDATE stops SET control = 'ec2-securitygroup-default-group-rules', body = REPLACE(body, '"control":"ec2-sg-default-group-rules"', '"control":"ec2-securitygroup-default-group-rules"') WHERE control = 'ec2-sg-default-group-rules';
UPDATE spends SET control = 'ec2-securitygroup-default-group-rules' WHERE control = 'ec2-sg-default-group-rules';
UPDATE findings SET body = REPLACE(body, '"control":"s3-bucket-public-access-block"', '"control":"s3-bucket-access-block"') WHERE body LIKE '%"control":"s3-bucket-public-access-block"%';
UPDATE stops SET control = 's3-bucket-access-block', body = REPLACE(body, '"control":"s3-bucket-public-access-block"', '"control":"s3-bucket-access-block"') WHERE control = 's3-bucket-public-access-block';
UPDATE spends SET control = 's3-bucket-access-block' WHERE control = 's3-bucket-public-access-block';
UPDATE findings SET body = REPLACE(body, '"control":"s3-account-public-access-block"', '"control":"s3-account-access-block"') WHERE body LIKE '%"control":"s3-account-public-access-block"%';
UPDATE stops SET control = 's3-account-access-block', body = REPLACE(body, '"control":"s3-account-public-access-block"', '"control":"s3-account-access-block"') WHERE control = 's3-account-public-access-block';
UPDATE spends SET control = 's3-account-access-block' WHERE control = 's3-account-public-access-block';
UPDATE findings SET body = REPLACE(body, '"control":"s3-access-point-public"', '"control":"s3-bucket-access-point-public"') WHERE body LIKE '%"control":"s3-access-point-public"%';
UPDATE stops SET control = 's3-bucket-access-point-public', body = REPLACE(body, '"control":"s3-access-point-public"', '"control":"s3-bucket-access-point-public"') WHERE control = 's3-access-point-public';
UPDATE spends SET control = 's3-bucket-access-point-public' WHERE control = 's3-access-point-public';
