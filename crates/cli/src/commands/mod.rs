//! One module a command.

pub(crate) mod account;
pub(crate) mod alert;
pub(crate) mod bench;
pub(crate) mod city;
pub(crate) mod demo;
pub(crate) mod dict;
pub(crate) mod find;
pub(crate) mod findings;
pub(crate) mod init;
pub(crate) mod judge;
pub(crate) mod media;
pub(crate) mod night;
pub(crate) mod plain;
pub(crate) mod report;
pub(crate) mod review;
pub(crate) mod serve;
pub(crate) mod sites;
pub(crate) mod store;
pub(crate) mod watch;
pub(crate) mod why;
pub(crate) mod worker;
