//! One module a command.

pub(crate) mod bench;
pub(crate) mod city;
pub(crate) mod demo;
pub(crate) mod dict;
pub(crate) mod init;
pub(crate) mod night;
pub(crate) mod plain;
pub(crate) mod sites;
pub(crate) mod store;
pub(crate) mod why;
