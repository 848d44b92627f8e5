package rule
