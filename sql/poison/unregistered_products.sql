-- 1 wrong row: a ticket of a product that is not registered
insert into reference.products (product_id) values ('web_shop');
insert into core.tickets (ticket_key, product) values ('one', 'kiosk'), ('two', 'web_shop');
insert into mart.ticket_effort (ticket_key, is_deleted) values ('one', true), ('two', true);
